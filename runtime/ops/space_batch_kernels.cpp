// The kernels of both directions, found in the dispatch tables by their names.
#include "into_batch_kernels.h"
#include "into_space_kernels.h"
#include "runtime/ops/space_batch_plane.h"

namespace sylvite::internal {

constinit const SpaceBatchKernels kIntoBatch = {
    .names = into_batch::kKernelNames,
    .rows = into_batch::kKernels,
    .columns = index_of(into_batch::kKernelNames, "space_to_batch"),
    .pixels = index_of(into_batch::kKernelNames, "pixels_to_batch"),
    .masked = index_of(into_batch::kKernelNames, "space_to_batch_masked"),
    .gpu = find_widths(into_batch::kKernelNames, "space_to_batch_gpu_u"),
};

constinit const SpaceBatchKernels kIntoSpace = {
    .names = into_space::kKernelNames,
    .rows = into_space::kKernels,
    .columns = index_of(into_space::kKernelNames, "batch_to_space"),
    .pixels = index_of(into_space::kKernelNames, "batch_to_pixels"),
    .masked = index_of(into_space::kKernelNames, "batch_to_space_masked"),
    .gpu = find_widths(into_space::kKernelNames, "batch_to_space_gpu_u"),
};

}  // namespace sylvite::internal

/* A dilated convolution in C: the phases of an image, a convolution of each, the image again. First
   with one function per operator and memory of our own, then by name in a workspace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sylvite/sylvite.h>

enum { kRate = 2, kHeight = 6, kWidth = 8, kElements = kHeight * kWidth };

/* Everything but SYLVITE_OK ends the program. */
static void check(sylvite_status status) {
  if (status == SYLVITE_OK) return;
  fprintf(stderr, "phases: %s: %s\n", sylvite_status_text(status), sylvite_last_error());
  exit(1);
}

/* A dense tensor over memory of our own, which the shape belongs to too. */
static sylvite_tensor floats(float* data, const sylvite_shape* shape) {
  sylvite_tensor tensor;
  memset(&tensor, 0, sizeof tensor);
  tensor.data = data;
  tensor.shape = shape->extents;
  tensor.dtype = SYLVITE_FLOAT32;
  tensor.rank = shape->rank;
  return tensor;
}

/* y: the image, seen by a filter whose places are kRate apart. */
static void with_functions(const sylvite_tensor* x, const sylvite_tensor* w,
                           const sylvite_tensor* y) {
  const sylvite_space_to_batch_args apart = {.struct_size = sizeof apart,
                                             .axes = 2,
                                             .block_shape = {kRate, kRate},
                                             .paddings = {{kRate, kRate}, {kRate, kRate}}};
  const sylvite_batch_to_space_args together = {
      .struct_size = sizeof together, .axes = 2, .block_shape = {kRate, kRate}};
  sylvite_shape phase_shape;
  sylvite_shape answer_shape;
  sylvite_tensor phases;
  sylvite_tensor answers;
  float phase_memory[(kHeight + 2 * kRate) * (kWidth + 2 * kRate)];
  float answer_memory[kElements];

  check(sylvite_space_to_batch_shape(x, &apart, &phase_shape));
  phases = floats(phase_memory, &phase_shape);
  check(sylvite_space_to_batch(x, &apart, &phases, NULL));
  check(sylvite_conv_shape(&phases, w, NULL, &answer_shape));
  answers = floats(answer_memory, &answer_shape);
  check(sylvite_conv(&phases, w, NULL, NULL, &answers, NULL));
  check(sylvite_batch_to_space(&answers, &together, y, NULL));
}

static sylvite_argument number(const char* name, int64_t value) {
  sylvite_argument argument;
  memset(&argument, 0, sizeof argument);
  argument.name = name;
  argument.kind = SYLVITE_ARGUMENT_INT;
  argument.value.i = value;
  return argument;
}

static void run(sylvite_workspace* workspace, const char* type, const char* const* inputs,
                int64_t input_count, const char* output, const sylvite_argument* arguments,
                int64_t argument_count) {
  const sylvite_operator_def def = {.struct_size = sizeof def,
                                    .device = SYLVITE_CPU,
                                    .type = type,
                                    .inputs = inputs,
                                    .input_count = input_count,
                                    .outputs = &output,
                                    .output_count = 1,
                                    .arguments = arguments,
                                    .argument_count = argument_count};
  check(sylvite_workspace_run(workspace, &def));
}

static void by_name(const sylvite_tensor* x, const sylvite_tensor* w, const sylvite_tensor* y) {
  const char* const image = "image";
  const char* const phases_and_filter[] = {"phases", "filter"};
  const char* const answers = "answers";
  const sylvite_argument arguments[] = {number("block_size", kRate), number("pad", kRate)};
  sylvite_workspace* workspace = NULL;
  sylvite_texts* description = NULL;

  check(sylvite_workspace_create(NULL, &workspace));
  check(sylvite_workspace_feed(workspace, "image", x));
  check(sylvite_workspace_feed(workspace, "filter", w));
  run(workspace, "SpaceToBatch", &image, 1, "phases", arguments, 2);
  run(workspace, "Conv", phases_and_filter, 2, "answers", NULL, 0);
  run(workspace, "BatchToSpace", &answers, 1, "seen", arguments, 1);
  check(sylvite_workspace_fetch(workspace, "seen", y));
  check(sylvite_workspace_describe(workspace, &description));
  printf("%s", sylvite_texts_get(description, 0));
  sylvite_texts_destroy(description);
  sylvite_workspace_destroy(workspace);
}

int main(void) {
  const sylvite_shape image_shape = {4, {1, 1, kHeight, kWidth}};
  const sylvite_shape filter_shape = {4, {1, 1, 3, 3}};
  float image[kElements];
  float filter[9] = {0, 1, 0, 1, -4, 1, 0, 1, 0}; /* how far a place is from those around it */
  float seen[kElements];
  float seen_by_name[kElements];
  const sylvite_tensor x = floats(image, &image_shape);
  const sylvite_tensor w = floats(filter, &filter_shape);
  const sylvite_tensor y = floats(seen, &image_shape);
  const sylvite_tensor z = floats(seen_by_name, &image_shape);
  int row, column;

  for (row = 0; row < kHeight; ++row) {
    for (column = 0; column < kWidth; ++column) {
      image[row * kWidth + column] = (float)(row * row + column);
    }
  }
  printf("sylvite %s\n", sylvite_version());
  with_functions(&x, &w, &y);
  by_name(&x, &w, &z);
  for (row = 0; row < kElements; ++row) {
    if (seen[row] != seen_by_name[row]) {
      fprintf(stderr, "phases: by name comes something else\n");
      return 1;
    }
  }
  /* row^2 bends by 2 * kRate^2 wherever the filter stays inside of the image. */
  for (row = kRate; row < kHeight - kRate; ++row) {
    for (column = kRate; column < kWidth - kRate; ++column) {
      if (seen[row * kWidth + column] != 2 * kRate * kRate) {
        fprintf(stderr, "phases: %g at %d, %d\n", seen[row * kWidth + column], row, column);
        return 1;
      }
    }
  }
  printf("dilated by %d: %g inside, %g in the corner\n", kRate, seen[kRate * kWidth + kRate],
         seen[0]);
  /* What goes wrong is a status and a text. */
  if (sylvite_add(&x, &w, &y, NULL) != SYLVITE_INVALID_ARGUMENT) return 1;
  printf("%s\n", sylvite_last_error());
  return 0;
}

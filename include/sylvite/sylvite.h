/* Everything Sylvite offers: to C what sylvite_c.h declares, to C++ all below it. */
#pragma once

#ifndef __cplusplus
#include "sylvite/sylvite_c.h"
#else
#include "sylvite/arithmetic.h"
#include "sylvite/cast.h"
#include "sylvite/context.h"
#include "sylvite/conv.h"
#include "sylvite/error.h"
#include "sylvite/expand.h"
#include "sylvite/features.h"
#include "sylvite/gradient_accumulator.h"
#include "sylvite/gradient_check.h"
#include "sylvite/half_storage.h"
#include "sylvite/join.h"
#include "sylvite/name_scope.h"
#include "sylvite/net.h"
#include "sylvite/operator.h"
#include "sylvite/plan.h"
#include "sylvite/reshape.h"
#include "sylvite/space_batch.h"
#include "sylvite/tensor.h"
#include "sylvite/variables.h"
#include "sylvite/version.h"
#include "sylvite/workspace.h"
#endif

// Everything Sylvite offers.
#pragma once

#include "sylvite/arithmetic.h"
#include "sylvite/cast.h"
#include "sylvite/context.h"
#include "sylvite/conv.h"
#include "sylvite/error.h"
#include "sylvite/expand.h"
#include "sylvite/features.h"
#include "sylvite/join.h"
#include "sylvite/net.h"
#include "sylvite/operator.h"
#include "sylvite/plan.h"
#include "sylvite/reshape.h"
#include "sylvite/space_batch.h"
#include "sylvite/tensor.h"
#include "sylvite/workspace.h"

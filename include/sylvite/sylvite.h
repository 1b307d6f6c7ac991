// Everything Sylvite offers.
#pragma once

#include "sylvite/context.h"
#include "sylvite/error.h"
#include "sylvite/operator.h"
#include "sylvite/plan.h"
#include "sylvite/space_batch.h"
#include "sylvite/tensor.h"

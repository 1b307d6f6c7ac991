/* Everything Sylvite offers to C, from C99 on, and to C++ without exceptions.

   Every function but the few that cannot fail returns a sylvite_status; what went wrong is told by
   sylvite_last_error(). No exception leaves a function. */
#pragma once

#include "sylvite/c/core.h"
#include "sylvite/c/features.h"
#include "sylvite/c/operators.h"
#include "sylvite/c/workspace.h"

// What C sees is C++ too, without exceptions.
#include <sylvite/sylvite_c.h>

#ifdef __cpp_exceptions
#error this is to be compiled without exceptions
#endif

static_assert(sizeof(sylvite_shape) == 8 + 8 * SYLVITE_MAX_RANK);

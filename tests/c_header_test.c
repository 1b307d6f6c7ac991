/* The C headers as a compiler of C reads them; compiled as C99 with every warning an error. */
#include <string.h>
#include <sylvite/sylvite.h>

int sylvite_c_header_test(void);

/* The number of what is wrong, 0 where all is right. */
int sylvite_c_header_test(void) {
  float x[4] = {1, 2, 3, 4};
  float y[4] = {0, 0, 0, 0};
  const int64_t shape[2] = {2, 2};
  sylvite_tensor from = {0};
  sylvite_tensor to;
  from.data = x;
  from.shape = shape;
  from.rank = 2;
  to = from;
  to.data = y;
  if (sylvite_add(&from, &from, &to, NULL) != SYLVITE_INVALID_ARGUMENT) return 1;
  if (strstr(sylvite_last_error(), "y.dtype is 0") == NULL) return 2;
  from.dtype = to.dtype = SYLVITE_FLOAT32;
  if (sylvite_add(&from, &from, &to, NULL) != SYLVITE_OK) return 3;
  if (y[3] != 8) return 4;
  if (sizeof(sylvite_tensor) != 56 && sizeof(void*) == 8) return 5;
  return 0;
}

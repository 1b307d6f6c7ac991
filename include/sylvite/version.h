/* The version of the library, semantic: a change of the major number may break callers, one of the
   minor number adds, one of the patch number does neither. While the major number is 0, a change of
   the minor number may break them. C and C++. */
#pragma once

/* NOLINTBEGIN(modernize-macro-to-enum,modernize-macro-*): for #if */
#define SYLVITE_VERSION_MAJOR 0
#define SYLVITE_VERSION_MINOR 1
#define SYLVITE_VERSION_PATCH 0
/* NOLINTEND(modernize-macro-to-enum,modernize-macro-*) */

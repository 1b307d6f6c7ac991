# Fully static programs for any Linux on x86-64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(SYLVITE_LIBC musl)
set(zig_target x86_64-linux-musl)
set(zig_flags -static)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)

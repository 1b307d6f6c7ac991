# WebAssembly with WASI, one thread.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(zig_target wasm32-wasi)
set(zig_flags "-mcpu=generic+simd128+bulk_memory+sign_ext+nontrapping_fptoint+exception_handling -fwasm-exceptions")
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)

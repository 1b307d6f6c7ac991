// C: errors, contexts, lists of texts.
#include "runtime/c_api.h"

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

#include "sylvite/operator.h"

namespace sylvite::internal::c_api {
namespace {

/// Room of its own: an error must have a text where there is no memory.
// NOLINTNEXTLINE(readability-identifier-naming)
constinit thread_local std::array<char, 2048> last_error = {};

/// One text behind the other, cut between two characters where there is no room.
void note(std::initializer_list<std::string_view> parts) noexcept {
  size_t length = 0;
  for (const std::string_view part : parts) {
    const size_t room = last_error.size() - 1 - length;
    size_t taken = std::min(part.size(), room);
    if (taken < part.size()) {
      while (taken > 0 && (static_cast<unsigned char>(part[taken]) & 0xC0U) == 0x80U) --taken;
    }
    std::copy_n(part.data(), taken, last_error.data() + length);
    length += taken;
  }
  last_error[length] = '\0';
}

sylvite_status status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return SYLVITE_INVALID_ARGUMENT;
    case ErrorCode::kUnsupported:
      return SYLVITE_UNSUPPORTED;
    case ErrorCode::kOutOfMemory:
      return SYLVITE_OUT_OF_MEMORY;
    case ErrorCode::kDeviceError:
      return SYLVITE_DEVICE_ERROR;
    case ErrorCode::kInternal:
      break;
  }
  return SYLVITE_INTERNAL;
}

#define SYLVITE_TEXT_OF(number) #number
#define SYLVITE_VERSION_TEXT(major, minor, patch) \
  SYLVITE_TEXT_OF(major) "." SYLVITE_TEXT_OF(minor) "." SYLVITE_TEXT_OF(patch)
constexpr const char* kVersion =
    SYLVITE_VERSION_TEXT(SYLVITE_VERSION_MAJOR, SYLVITE_VERSION_MINOR, SYLVITE_VERSION_PATCH);
#undef SYLVITE_VERSION_TEXT
#undef SYLVITE_TEXT_OF

}  // namespace

sylvite_status report(const char* function) noexcept {
  try {
    throw;
  } catch (const CallError& error) {
    note({function, ": ", error.what()});
    return status_of(error.code());
  } catch (const Error& error) {
    note({error.what()});
    return status_of(error.code());
  } catch (const std::bad_alloc&) {
    note({function, ": no memory for what the call itself needs"});
    return SYLVITE_OUT_OF_MEMORY;
  } catch (const std::length_error&) {
    note({function, ": no memory for as many elements as an argument's count says"});
    return SYLVITE_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    note({function, ": ", error.what()});
    return SYLVITE_INTERNAL;
  } catch (...) {
    note({function, ": an exception of an unknown type"});
    return SYLVITE_INTERNAL;
  }
}

Context context_of(const sylvite_context* context) {
  return context != nullptr ? context->state->context : Context();
}

}  // namespace sylvite::internal::c_api

using namespace sylvite;
using namespace sylvite::internal::c_api;

const char* sylvite_last_error(void) { return last_error.data(); }

const char* sylvite_status_text(sylvite_status status) {
  constexpr std::array kTexts = {"ok",           "invalid argument", "unsupported", "out of memory",
                                 "device error", "internal error"};
  static_assert(SYLVITE_INTERNAL + 1 == kTexts.size());
  const bool known = status >= 0 && status <= SYLVITE_INTERNAL;
  return known ? kTexts[static_cast<size_t>(status)] : "unknown status";
}

const char* sylvite_version(void) { return kVersion; }

sylvite_status sylvite_context_create(const sylvite_context_options* options,
                                      sylvite_context** context) {
  return guarded(__func__, [&] {
    sylvite_context*& made = handle(context, "context");
    const sylvite_context_options given =
        options != nullptr ? versioned(options, "options") : sylvite_context_options{};
    require_call(given.stores >= SYLVITE_STORES_AUTO && given.stores <= SYLVITE_STORES_STREAM,
                 "options.stores is ", given.stores,
                 ", want SYLVITE_STORES_AUTO, …_PLAIN or …_STREAM");
    require_call(given.reserved == 0, "options.reserved is ", given.reserved, ", want 0");
    auto state = std::make_shared<ContextState>();
    ContextOptions wanted{.stream = given.stream,
                          .threads = given.threads,
                          .stores = static_cast<StorePolicy>(given.stores)};
    if (given.target != nullptr) wanted.target = given.target;
    if (given.pool != nullptr) {
      state->pool = {.pool = given.pool->pool, .parallel_for = given.pool->parallel_for};
      wanted.pool = &state->pool;
    }
    if (given.allocator != nullptr) {
      state->allocator = {.state = given.allocator->state,
                          .allocate = given.allocator->allocate,
                          .deallocate = given.allocator->deallocate};
      wanted.allocator = &state->allocator;
    }
    if (given.merge_status != nullptr) {
      state->merge_status = output(given.merge_status, "options.merge_status");
      wanted.merge_status = &*state->merge_status;
    }
    state->context = Context(wanted);
    made = new sylvite_context{std::move(state)};
  });
}

void sylvite_context_destroy(sylvite_context* context) { delete context; }

sylvite_status sylvite_warm_up(sylvite_device device, const sylvite_context* context) {
  return guarded(__func__, [&] { context_of(context).warm_up(device_of(device, "device")); });
}

sylvite_status sylvite_synchronize(sylvite_device device, const sylvite_context* context) {
  return guarded(__func__, [&] { context_of(context).synchronize(device_of(device, "device")); });
}

void sylvite_shutdown(void) { shutdown(); }

int64_t sylvite_texts_count(const sylvite_texts* texts) {
  return texts != nullptr ? static_cast<int64_t>(texts->texts.size()) : 0;
}

const char* sylvite_texts_get(const sylvite_texts* texts, int64_t i) {
  if (i < 0 || i >= sylvite_texts_count(texts)) return nullptr;
  const std::optional<std::string>& text = texts->texts[static_cast<size_t>(i)];
  return text ? text->c_str() : nullptr;
}

void sylvite_texts_destroy(sylvite_texts* texts) { delete texts; }

sylvite_status sylvite_targets(sylvite_texts** targets) {
  return guarded(__func__,
                 [&] { make(targets, "targets", [&] { return new_texts(sylvite::targets()); }); });
}

sylvite_status sylvite_operators(sylvite_texts** names) {
  return guarded(__func__, [&] {
    sylvite_texts*& made = handle(names, "names");
    std::vector<std::string_view> all;
    for (const OperatorSchema* op : operators()) all.push_back(op->name);
    made = new_texts(all);
  });
}

#ifndef CBUNDLE_H
#define CBUNDLE_H

#include <stdbool.h>
#include <stddef.h>

/// One JavaScript file of the runtime, as it stands in the tree. Lives as long as the process; not NUL-terminated.
typedef struct {
    const char *_Nonnull name;
    const char *_Nonnull source;
    size_t length;
    /// Evaluated on first use, not in the snapshot.
    bool is_lazy;
} cbundle_module;

/// The modules in the order of their evaluation.
extern const cbundle_module *_Nonnull const cbundle_modules;
extern const size_t cbundle_module_count;

/// The two files in front of the modules: Core/loader and Core/primordials.
extern const cbundle_module cbundle_loader;
extern const cbundle_module cbundle_primordials;

#endif

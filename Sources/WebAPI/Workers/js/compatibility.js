// Workers: compatibility flags. Here is the newest behaviour of each; what a worker that wants an older one meets is
// made before its first line runs. Needs the op
//   compatibilityFlags() -> [name ...], the flags that are in force
const { SafeSet, globalThis } = primordials;
const { defineOperation, exposeLazyGlobals } = use("WebIDL/webidl");
const { Headers } = use("Fetch/headers");

let enabled;

/** Whether a flag is in force, by the name that switches it on. */
function isEnabled(flag) {
  if (enabled === undefined) {
    const flags = ops.compatibilityFlags();
    enabled = new SafeSet();
    for (let i = 0; i < flags.length; i++) enabled.add(flags[i]);
  }
  return enabled.has(flag);
}

entries.applyCompatibility = () => {
  if (isEnabled("nodejs_compat") && isEnabled("nodejs_compat_v2")) {
    exposeLazyGlobals("Node/buffer", ["Buffer"]);
    defineOperation(globalThis, "global", globalThis, false);
  }
  if (!isEnabled("global_navigator")) {
    delete globalThis.navigator;
    delete globalThis.Navigator;
  }
  if (!isEnabled("expose_global_message_channel")) {
    delete globalThis.MessageChannel;
    delete globalThis.MessagePort;
  }
  if (!isEnabled("http_headers_getsetcookie")) delete Headers.prototype.getSetCookie;
};

/** What the warm-up saw is none of a worker's. */
const forgetFlags = () => { enabled = undefined; };

provide({ forgetFlags, isEnabled });

// src/protocol/joined-signal.ts
var waiting = /* @__PURE__ */ new WeakMap();
function joinSignals(signals) {
  const joined = new AbortController();
  const given = signals.filter((signal) => signal !== void 0);
  const abort = () => {
    release();
    joined.abort(given.find((signal) => signal.aborted)?.reason);
  };
  const release = () => given.forEach((signal) => waiting.get(signal)?.delete(abort));
  if (given.some((signal) => signal.aborted)) abort();
  else for (const signal of given) waitersOf(signal).add(abort);
  return { signal: joined.signal, [Symbol.dispose]: release };
}
function waitersOf(signal) {
  const known = waiting.get(signal);
  if (known !== void 0) return known;
  const waiters = /* @__PURE__ */ new Set();
  waiting.set(signal, waiters);
  signal.addEventListener("abort", () => [...waiters].forEach((wake) => wake()), { once: true });
  return waiters;
}

export {
  joinSignals
};

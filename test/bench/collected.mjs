/** The memory of this process after a collection, which `--expose-gc` allows for. */
export function collected() {
  // The second pass frees what finalizers of the first let go.
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage()
}

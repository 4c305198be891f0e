/** How long this process has worked so far, in milliseconds; waiting for a busy machine does not count. */
export function workingTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

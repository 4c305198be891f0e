/**
 * Hands on what this process prints: `console.log` and whatever else goes through its standard output and standard error. `take` gives true
 * for what it has taken; the rest goes to standard error, so that standard output is free for the protocol (HO4). It is not given back:
 * whoever reads the other end of standard output expects nothing else. Gives the way that is left to standard output.
 */
export function takePrintedOutput(take: (text: string) => boolean): (text: string) => void {
  const { stdout, stderr } = process
  const protocol = stdout.write.bind(stdout)
  const log = stderr.write.bind(stderr)
  // A log that nobody reads any more is no reason to crash.
  stderr.on('error', () => {})
  const write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    if (!take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())) return log(chunk, ...(rest as []))
    const written = rest.find((one): one is () => void => typeof one === 'function')
    if (written !== undefined) queueMicrotask(written)
    return true
  }
  stdout.write = write as typeof stdout.write
  stderr.write = write as typeof stderr.write
  return (text) => void protocol(text)
}

/**
 * Keeps standard output for the protocol (HO4): what anybody else of this process writes there, `console.log` too, goes to standard error.
 * Gives the way that is left to standard output. It is not given back: whoever reads the other end expects nothing but the protocol.
 */
export function takeStandardOutput(): (text: string) => void {
  const { stdout, stderr } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  // A log that nobody reads any more is no reason to crash.
  stderr.on('error', () => {})
  return (text) => void write(text)
}

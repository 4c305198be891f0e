/** The lower-case hex sha256 of bytes. */
export function sha256(bytes: Uint8Array): string {
  // Loaded when it is first needed: it takes longer than most of the package.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(bytes).digest('hex')
}

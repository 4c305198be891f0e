const encodedPrefix = 'whsec_'

/**
 * The headers of Standard Webhooks (AL3): id, timestamp in seconds, and for each secret `v1,` with the base64 of HMAC-SHA256 over
 * `id.timestamp.body`. Several secrets stand one after the other, with spaces between them: the receiver accepts any, so that a secret
 * can be replaced without a gap. A secret of the form `whsec_…` is base64 of the key; any other is the key itself.
 */
export function signedHeaders(
  message: { readonly id: string; readonly body: string; readonly now: number },
  secrets: string | undefined,
): Readonly<Record<string, string>> {
  // Loaded when it is first needed.
  const { createHmac } = process.getBuiltinModule('node:crypto')
  const seconds = String(Math.floor(message.now / 1000))
  const signatures = (secrets ?? '')
    .split(/\s+/)
    .filter((secret) => secret !== '')
    .map(
      (secret) => `v1,${createHmac('sha256', keyOf(secret)).update(`${message.id}.${seconds}.${message.body}`).digest('base64')}`,
    )
  return {
    'webhook-id': message.id,
    'webhook-timestamp': seconds,
    ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
  }
}

function keyOf(secret: string): Buffer {
  return secret.startsWith(encodedPrefix)
    ? Buffer.from(secret.slice(encodedPrefix.length), 'base64')
    : Buffer.from(secret, 'utf8')
}

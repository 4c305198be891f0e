const secretWords = new Set([
  'key',
  'keys',
  'pass',
  'auth',
  'cred',
  'creds',
  'credential',
  'credentials',
  'cookie',
  'bearer',
  'jwt',
  'pat',
])
const secretEndings = [
  'token',
  'tokens',
  'secret',
  'secrets',
  'password',
  'passwords',
  'passwd',
  'passphrase',
  'apikey',
  'accesskey',
]

/**
 * Whether the name of an environment variable looks as if its value were a secret: `API_KEY`, `GITHUB_TOKEN`, `PGPASSWORD`, `dbPassword`.
 * Such values travel as secrets, never by an allowlist (WS3).
 */
export function secretLikeName(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z]+/)
  return words.some((word) => secretWords.has(word) || secretEndings.some((ending) => word.endsWith(ending)))
}

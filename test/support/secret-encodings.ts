/** Ways in which a secret is written by accident, as `docs/secrets.md` names them. Each is made here by other code than the redactor's. */
export const secretEncodings: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  'base64 at the beginning of the data': (secret) => base64(secret),
  'base64 one byte into a group': (secret) => base64(`:${secret}`),
  'base64 two bytes into a group': (secret) => base64(`u:${secret}`),
  'base64 within other data': (secret) => base64(`user:${secret}\nhost: example`),
  'base64 in lines of 76': (secret) => base64(`user:${secret}`.padEnd(120, '.')).replace(/.{76}/g, '$&\n'),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  'hexadecimal, lower case': (secret) => hex(secret),
  'hexadecimal, upper case': (secret) => hex(secret).toUpperCase(),
  'hexadecimal with spaces, as buffers are printed': (secret) => hex(secret).replace(/..(?=.)/g, '$& '),
  'hexadecimal with colons': (secret) =>
    hex(secret)
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:'),
  'a list of decimal numbers': (secret) => JSON.stringify([...Buffer.from(secret)]),
  'URL-encoded': (secret) => encodeURIComponent(secret),
  'URL-encoded, lower-case digits': (secret) => encodeURIComponent(secret).replace(/%../g, (escape) => escape.toLowerCase()),
  'URL-encoded, every byte': (secret) => hex(secret).replace(/../g, '%$&'),
  'URL-encoded, as a form': (secret) => new URLSearchParams({ a: secret }).toString(),
  'URL-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'URL-encoded base64': (secret) => encodeURIComponent(base64(secret)),
  JSON: (secret) => JSON.stringify(secret),
  'JSON, every unit as \\u': (secret) => `"${units(secret)}"`,
  'JSON, every unit as \\u with upper-case digits': (secret) =>
    `"${units(secret).replace(/[0-9a-f]{4}/g, (digits) => digits.toUpperCase())}"`,
  'JSON with escaped slashes': (secret) => JSON.stringify({ a: secret }).replaceAll('/', '\\/'),
  'JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ a: secret })),
  'JSON in JSON in JSON in JSON': (secret) => JSON.stringify(JSON.stringify(JSON.stringify(JSON.stringify(secret)))),
  'HTML, named references': (secret) => named(secret),
  'HTML, decimal references': (secret) => Array.from(secret, (character) => `&#${character.codePointAt(0)};`).join(''),
  'HTML, hexadecimal references': (secret) =>
    Array.from(secret, (character) => `&#x${character.codePointAt(0)?.toString(16)};`).join(''),
  'bytes as \\x': (secret) => hex(secret).replace(/../g, '\\x$&'),
  'octal bytes': (secret) => Array.from(Buffer.from(secret), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  'quoted for a shell': (secret) => secret.replace(/[^A-Za-z0-9\u0080-\uffff]/g, '\\$&'),
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex')
}

function units(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}

function named(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character)
}

const credential =
  /:\/\/[^/]*@|\bbearer\s|\b(?:api[_-]?key|access[_-]?token|token|secret|password)\s*[=:]|\bsk-[\w-]{8}|\bgh[opsu]_\w{8}|\bxox[abp]-|\bAKIA[A-Z0-9]{8}/i

/** Whether a text looks like a credential, or like a URL that embeds one. */
export function holdsCredential(value: string): boolean {
  return credential.test(value)
}

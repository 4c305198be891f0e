/** Longest name of an image; registries take 255 characters of a path, a tag of 128 and a digest. */
const longestImage = 512

const host = '[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?(?::[0-9]{1,5})?'
const part = '[a-z0-9]+(?:(?:[.]|_{1,2}|-{1,8})[a-z0-9]+)*'
const tag = ':[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}'
const digest = '@[A-Za-z][A-Za-z0-9+._-]{0,31}:[0-9a-fA-F]{32,128}'
const reference = new RegExp(`^(?:${host}/)?${part}(?:/${part})*(?:${tag})?(?:${digest})?$`)

/**
 * Why an image cannot be named so; undefined when it can. Only `[registry/]name[:tag][@digest]` is one: what begins with `-` would be an
 * option of the client, and `oci:/path`, `docker-archive:…` and the like would name files of the host (SE6).
 */
export function imageProblem(image: string): string | undefined {
  if (image.length > longestImage) return `the name of an image has at most ${longestImage} characters`
  return reference.test(image) ? undefined : 'it is no name of an image: expected [registry/]name[:tag][@digest]'
}

/** Why these cannot be words of a command line; undefined when they can. Any other text is passed on as it is. */
export function wordsProblem(words: readonly string[]): string | undefined {
  return words.some((word) => word.includes('\0')) ? 'a word of a command line cannot hold a NUL' : undefined
}

/** Why a path cannot be shown to a container; undefined when it can. Clients end a path at a colon. */
export function mountProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return `${JSON.stringify(path)} is no absolute path`
  return /[:\p{Cc}]/u.test(path)
    ? `${JSON.stringify(path)} has a colon or a control character in it, which no path that a container is shown may have`
    : undefined
}

/** Whether a network may be named so: a word that is no option, and joins no other container's. */
export function isNetworkName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)
}

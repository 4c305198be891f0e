import { posix } from 'node:path'
import type { Files } from '../ports/files.ts'
import { FleetError } from '../protocol/errors.ts'

/** A file system in memory: every folder exists, and the files are those that were put there (DE1). Patterns know `*` and `**`. */
export function memoryFiles(
  initial: Readonly<Record<string, string | Uint8Array>> = {},
): Files & { readonly contents: ReadonlyMap<string, Uint8Array> } {
  const contents = new Map(Object.entries(initial).map(([path, content]) => [path, bytesOf(content)]))
  return {
    contents,
    async facts(path) {
      const file = contents.get(posix.normalize(path))
      if (file !== undefined) return { kind: 'file', size: file.length, links: 1 }
      return path.endsWith('/') || isFolder(contents, path) ? { kind: 'folder', size: 0, links: 1 } : undefined
    },
    async real(path) {
      const plain = posix.normalize(path)
      return contents.has(plain) || isFolder(contents, plain) ? plain : undefined
    },
    async read(path, { limit }) {
      const file = contents.get(posix.normalize(path))
      if (file === undefined) throw new FleetError('unreadable_file', `There is no file ${path}.`)
      if (file.length > limit)
        throw new FleetError('too_large', `The file ${path} has ${file.length} bytes; the limit is ${limit}.`)
      return file
    },
    async makeFolder() {},
    async append(path, text) {
      const before = contents.get(posix.normalize(path)) ?? new Uint8Array()
      const more = bytesOf(text)
      const joined = new Uint8Array(before.length + more.length)
      joined.set(before)
      joined.set(more, before.length)
      contents.set(posix.normalize(path), joined)
    },
    async find(folder, patterns) {
      const under = `${posix.normalize(folder)}/`
      const inside = [...contents.keys()].filter((path) => path.startsWith(under)).map((path) => path.slice(under.length))
      return inside.filter((path) => patterns.some((pattern) => asRegExp(pattern).test(path))).sort()
    },
    async removeFolder(path) {
      for (const file of contents.keys()) if (file.startsWith(`${posix.normalize(path)}/`)) contents.delete(file)
    },
  }
}

/** What has no ending is taken for a folder, so that nobody needs to make folders. */
function isFolder(contents: ReadonlyMap<string, unknown>, path: string): boolean {
  return !contents.has(path) && (posix.extname(path) === '' || [...contents.keys()].some((file) => file.startsWith(`${path}/`)))
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content
}

function asRegExp(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/?|\*)/)
    .map((part) => (part.startsWith('**') ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${source.join('')}$`)
}

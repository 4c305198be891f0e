import { createHash } from 'node:crypto'
import { dirname } from 'node:path'

/** One thing that happened to a file system, as small as a power cut can separate. Files are told by number: names come and go. */
export type Step =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly size: number }
  | { readonly kind: 'sync'; readonly file: number; readonly failed: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly file: number }
  | { readonly kind: 'rename'; readonly from: string; readonly path: string; readonly file: number }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'makeFolder'; readonly path: string }
  | { readonly kind: 'removeFolder'; readonly path: string }
  | { readonly kind: 'syncFolder'; readonly path: string }

/** Folders, names and bytes, as a process sees them. */
export class FileTree {
  readonly folders = new Set<string>(['/'])
  readonly names = new Map<string, number>()
  readonly contents = new Map<number, Buffer>()

  copy(): FileTree {
    const copy = new FileTree()
    for (const folder of this.folders) copy.folders.add(folder)
    for (const [path, file] of this.names) copy.names.set(path, file)
    for (const [file, bytes] of this.contents) copy.contents.set(file, bytes)
    return copy
  }

  bytes(path: string): Buffer | undefined {
    const file = this.names.get(path)
    return file === undefined ? undefined : (this.contents.get(file) ?? Buffer.alloc(0))
  }

  /** The names of what lies in a folder, sorted. */
  list(folder: string): readonly string[] {
    const children = [...this.names.keys(), ...this.folders].filter((path) => path !== '/' && dirname(path) === folder)
    return children.map((path) => path.slice(folder === '/' ? 1 : folder.length + 1)).toSorted()
  }

  apply(step: Step): void {
    const apply: Record<Step['kind'], (one: never) => void> = {
      create: ({ path, file }: Extract<Step, { kind: 'create' }>) => void this.names.set(path, file),
      link: ({ path, file }: Extract<Step, { kind: 'link' }>) => void this.names.set(path, file),
      rename: ({ from, path, file }: Extract<Step, { kind: 'rename' }>) => {
        if (this.names.get(from) === file) this.names.delete(from)
        this.names.set(path, file)
      },
      remove: ({ path }: Extract<Step, { kind: 'remove' }>) => void this.names.delete(path),
      makeFolder: ({ path }: Extract<Step, { kind: 'makeFolder' }>) => void this.folders.add(path),
      removeFolder: ({ path }: Extract<Step, { kind: 'removeFolder' }>) => void this.folders.delete(path),
      write: ({ file, at, bytes }: Extract<Step, { kind: 'write' }>) => {
        const before = this.contents.get(file) ?? Buffer.alloc(0)
        const after = Buffer.alloc(Math.max(before.length, at + bytes.length))
        before.copy(after)
        bytes.copy(after, at)
        this.contents.set(file, after)
      },
      truncate: ({ file, size }: Extract<Step, { kind: 'truncate' }>) => {
        this.contents.set(file, Buffer.concat([this.contents.get(file) ?? Buffer.alloc(0)], size))
      },
      sync: () => undefined,
      syncFolder: () => undefined,
    }
    apply[step.kind](step as never)
  }

  /** Forgets what no path leads to any more. */
  prune(): this {
    const isReachable = (path: string): boolean => path === '/' || (this.folders.has(dirname(path)) && isReachable(dirname(path)))
    for (const folder of this.folders) if (!isReachable(folder)) this.folders.delete(folder)
    for (const path of this.names.keys()) if (!isReachable(path)) this.names.delete(path)
    const named = new Set(this.names.values())
    for (const file of this.contents.keys()) if (!named.has(file)) this.contents.delete(file)
    return this
  }

  /** The same for trees that hold the same. */
  get fingerprint(): string {
    const sum = createHash('sha1')
    for (const folder of [...this.folders].toSorted()) sum.update(`${folder}\0`)
    for (const path of [...this.names.keys()].toSorted()) sum.update(`${path}\0`).update(this.bytes(path) ?? '')
    return sum.digest('hex')
  }
}

import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Disk, DiskFile } from '../../../src/store/json/disk.ts'
import type { Step } from './file-tree.ts'
import { FileTree } from './file-tree.ts'

/** An operation of the disk port, as it is asked for. */
export interface DiskCall {
  readonly index: number
  readonly operation: keyof Disk | keyof DiskFile
  readonly path: string
}

/** What to do instead of an operation: fail with a code, or take only half of the bytes. */
export type DiskFault = { readonly code: string } | { readonly short: true }

const noTime = 0

/**
 * A disk in memory that records each step that it takes, so that what a power cut may leave can be worked out, and that fails where it is
 * told to.
 */
export class ModelDisk implements Disk {
  readonly tree: FileTree
  readonly start: FileTree
  readonly steps: Step[] = []
  readonly calls: DiskCall[] = []
  /** Files that were synced again after a sync of them had failed. */
  readonly resynced: string[] = []
  /** Handles that are open. */
  handles = 0
  #nextFile: number
  readonly #failed = new Set<number>()
  readonly #fault: (call: DiskCall) => DiskFault | undefined

  constructor(start: FileTree = new FileTree(), fault: (call: DiskCall) => DiskFault | undefined = () => undefined) {
    this.start = start.copy()
    this.tree = start.copy()
    this.#fault = fault
    this.#nextFile = Math.max(0, ...start.contents.keys(), ...start.names.values()) + 1
  }

  readonly open = async (path: string, { create }: { readonly create: boolean }): Promise<DiskFile> => {
    this.#call('open', path)
    if (create && this.#isTaken(path)) throw errno('EEXIST', path)
    if (!this.tree.folders.has(dirname(path))) throw errno('ENOENT', path)
    const file = this.tree.names.get(path) ?? this.#create(path)
    this.handles += 1
    return this.#file(path, file)
  }

  readonly read = async (path: string, from = 0, to = Number.MAX_SAFE_INTEGER): Promise<Buffer> => {
    this.#call('read', path)
    return Buffer.from(this.tree.bytes(path)?.subarray(from, to) ?? [])
  }

  readonly rewrite = async (path: string, at: number, bytes: Uint8Array): Promise<void> => {
    this.#call('rewrite', path)
    const file = this.tree.names.get(path)
    if (file === undefined) throw errno('ENOENT', path)
    this.#take({ kind: 'write', file, at, bytes: Buffer.from(bytes) })
    this.#take({ kind: 'sync', file, failed: false })
  }

  readonly facts = async (path: string) => {
    this.#call('facts', path)
    const bytes = this.tree.bytes(path)
    return bytes && { size: bytes.length, modifiedAt: noTime }
  }

  readonly exists = (path: string): boolean => {
    this.#call('exists', path)
    return this.#isTaken(path)
  }

  readonly remains = (path: string): boolean => {
    this.#call('remains', path)
    return this.#isTaken(path)
  }

  readonly list = async (folder: string): Promise<readonly string[]> => {
    this.#call('list', folder)
    return this.tree.list(folder)
  }

  readonly link = async (from: string, path: string): Promise<void> => {
    this.#call('link', path)
    const file = this.tree.names.get(from)
    if (file === undefined) throw errno('ENOENT', from)
    if (this.#isTaken(path)) throw errno('EEXIST', path)
    this.#take({ kind: 'link', path, file })
  }

  readonly rename = async (from: string, path: string): Promise<void> => {
    this.#call('rename', path)
    const file = this.tree.names.get(from)
    if (file === undefined) throw errno('ENOENT', from)
    this.#take({ kind: 'rename', from, path, file })
  }

  readonly remove = async (path: string): Promise<void> => {
    this.#call('remove', path)
    if (this.tree.names.has(path)) this.#take({ kind: 'remove', path })
  }

  readonly removeFolder = async (path: string): Promise<void> => {
    this.#call('removeFolder', path)
    const isInside = (one: string) => one.startsWith(`${path}/`)
    for (const name of [...this.tree.names.keys()].filter(isInside)) this.#take({ kind: 'remove', path: name })
    const folders = [...this.tree.folders].filter((one) => isInside(one) || one === path)
    for (const folder of folders.toSorted().toReversed()) this.#take({ kind: 'removeFolder', path: folder })
  }

  readonly makeFolder = async (path: string): Promise<string | undefined> => {
    this.#call('makeFolder', path)
    let first: string | undefined
    for (let at = path; !this.tree.folders.has(at); at = dirname(at)) first = at
    if (first === undefined) return undefined
    for (const made of foldersDown(first, path)) this.#take({ kind: 'makeFolder', path: made })
    return first
  }

  readonly syncFolder = async (path: string): Promise<void> => {
    this.#call('syncFolder', path)
    if (!this.tree.folders.has(path)) throw errno('ENOENT', path)
    this.#take({ kind: 'syncFolder', path })
  }

  readonly turn = (): Promise<void> => setImmediate()

  #file(path: string, file: number): DiskFile {
    const sync = () => {
      if (this.#failed.has(file)) this.resynced.push(path)
      try {
        this.#call('sync', path)
      } catch (error) {
        this.#failed.add(file)
        this.#take({ kind: 'sync', file, failed: true })
        throw error
      }
      this.#take({ kind: 'sync', file, failed: false })
    }
    let isOpen = true
    return {
      write: (bytes, at) => {
        const fault = this.#call('write', path)
        const taken = Buffer.from(fault === undefined ? bytes : bytes.subarray(0, bytes.length >> 1))
        this.#take({ kind: 'write', file, at, bytes: taken })
        return taken.length
      },
      sync: async () => sync(),
      syncNow: sync,
      truncate: async (size) => {
        this.#call('truncate', path)
        this.#take({ kind: 'truncate', file, size })
      },
      close: async () => {
        if (isOpen) this.handles -= 1
        isOpen = false
      },
    }
  }

  #create(path: string): number {
    const file = this.#nextFile
    this.#nextFile += 1
    this.#take({ kind: 'create', path, file })
    return file
  }

  #isTaken(path: string): boolean {
    return this.tree.names.has(path) || this.tree.folders.has(path)
  }

  #take(step: Step): void {
    this.steps.push(step)
    this.tree.apply(step)
  }

  /** Records a call. Throws the fault that is planted there, unless it is a short write. */
  #call(operation: DiskCall['operation'], path: string): DiskFault | undefined {
    const call = { index: this.calls.length, operation, path }
    this.calls.push(call)
    const fault = this.#fault(call)
    if (fault !== undefined && 'code' in fault) throw errno(fault.code, path)
    return fault
  }
}

function foldersDown(first: string, last: string): readonly string[] {
  const folders = [last]
  for (let at = last; at !== first; at = dirname(at)) folders.unshift(dirname(at))
  return folders
}

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: planted, ${path}`), { code })
}

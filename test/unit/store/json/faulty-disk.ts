import { basename } from 'node:path'
import type { Disk, DiskFile } from '../../../../src/store/json/disk.ts'
import { nodeDisk } from '../../../../src/store/json/disk.ts'

type Operation = 'write' | 'sync' | 'truncate' | 'read' | 'link' | 'rename' | 'open'

/** The real disk, which records what is asked of it, and fails where it is told to. */
export class FaultyDisk {
  /** `operation name`, in order. */
  readonly log: string[] = []
  /** How much fits once a write was short. */
  roomAfterShortWrite = 0
  readonly #faults: { readonly operation: Operation; readonly matches: RegExp; readonly fail: () => void; left: number }[] = []
  #room = Number.POSITIVE_INFINITY
  readonly disk: Disk = {
    ...nodeDisk,
    open: async (path, options) => {
      this.#note('open', path)
      return this.#file(path, await nodeDisk.open(path, options))
    },
    read: async (path, from, to) => {
      this.#note('read', path)
      return nodeDisk.read(path, from, to)
    },
    link: async (from, to) => {
      this.#note('link', to)
      await nodeDisk.link(from, to)
    },
    rename: async (from, to) => {
      this.#note('rename', to)
      await nodeDisk.rename(from, to)
    },
  }

  /** The next `times` operations of this kind on files whose name matches fail with this code of the operating system. */
  failNext(operation: Operation, matches: RegExp, code: string, times = 1): void {
    const fail = () => {
      throw Object.assign(new Error(`${code}: planted`), { code })
    }
    this.#faults.push({ operation, matches, fail, left: times })
  }

  /** From now on only this many bytes fit: the write that does not fit is short, and the next one fails with ENOSPC. */
  limitRoom(bytes: number): void {
    this.#room = bytes
  }

  count(operation: Operation, matches = /./): number {
    return this.log.filter((line) => line.startsWith(`${operation} `) && matches.test(line)).length
  }

  #note(operation: Operation, path: string): void {
    this.log.push(`${operation} ${basename(path)}`)
    const fault = this.#faults.find((one) => one.operation === operation && one.left > 0 && one.matches.test(basename(path)))
    if (fault === undefined) return
    fault.left -= 1
    fault.fail()
  }

  #file(path: string, file: DiskFile): DiskFile {
    return {
      write: (bytes, at) => {
        this.#note('write', path)
        const room = this.#room
        if (room <= 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
        const taken = file.write(bytes.length > room ? bytes.subarray(0, room) : bytes, at)
        this.#room = taken < bytes.length ? this.roomAfterShortWrite : room - taken
        return taken
      },
      sync: async () => {
        this.#note('sync', path)
        await file.sync()
      },
      syncNow: () => {
        this.#note('sync', path)
        file.syncNow()
      },
      truncate: (to) => {
        this.#note('truncate', path)
        return file.truncate(to)
      },
      close: () => file.close(),
    }
  }
}

/** What an entry of the file system is, without following a link at its end. */
export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly size: number
  /** Number of hard links. */
  readonly links: number
}

/** The file system as the fleet sees it: workspaces and the folders of attempts. Paths are absolute. */
export interface Files {
  /** Facts about a path itself, or undefined when nothing is there. */
  facts(path: string): Promise<FileFacts | undefined>
  /** The path with every link resolved, or undefined when nothing is there. */
  real(path: string): Promise<string | undefined>
  /**
   * The bytes of a regular file, at most `limit`; rejects `too_large` when there are more, `unreadable_file` when it cannot be read. With
   * `within`, the path of a folder as `real` gives it, what was opened must lie there, and have no more names than `maxLinks`, even when
   * somebody swaps folders and links meanwhile.
   */
  read(
    path: string,
    options: { readonly limit: number; readonly within?: string; readonly maxLinks?: number },
  ): Promise<Uint8Array>
  /** Creates a folder and those above it. */
  makeFolder(path: string): Promise<void>
  /** Adds text to the end of a file, creating it and its folder. */
  append(path: string, text: string): Promise<void>
  /** Regular files under a folder that match one of the patterns (globs), as paths relative to it, sorted. `**` for all. */
  find(folder: string, patterns: readonly string[]): Promise<readonly string[]>
  /** Removes a folder and all in it. Nothing happens when it is not there. */
  removeFolder(path: string): Promise<void>
}

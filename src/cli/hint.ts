/** A command as it can be typed to reach the same store. */
export function hint(words: string, { folder }: { readonly folder: string }): string {
  return `flotilla ${words}${folder === '.flotilla' ? '' : ` --folder ${quoted(folder)}`}`
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

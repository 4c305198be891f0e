import { readFileSync, writeFileSync } from 'node:fs'

const opening = '<!-- bench: generated -->'
const closing = '<!-- /bench -->'

/** Replaces what stands between the markers of a document. */
export function writeIntoDocument(path, content) {
  const text = readFileSync(path, 'utf8')
  const from = text.indexOf(opening)
  const to = text.indexOf(closing)
  if (from < 0 || to < from) throw new Error(`${path} has no part ${opening} … ${closing}. Put the markers where it belongs.`)
  writeFileSync(path, `${text.slice(0, from)}${opening}\n\n${content}\n\n${text.slice(to)}`)
}

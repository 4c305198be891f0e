// Finds relative links in Markdown files that lead nowhere: to no file, or to no heading.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { writeEvidence } from './evidence.mjs'
import { projectFiles } from './project-files.mjs'

const documents = projectFiles(['.md'])
let links = 0
const broken = documents.flatMap((document) =>
  linksOf(prose(document)).flatMap((link) => {
    if (/^[a-z]+:/i.test(link)) return []
    links += 1
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? document : normalize(join(dirname(document), decodeURIComponent(path)))
    if (!existsSync(target)) return [`${document}: ${link} (no such file)`]
    const isMissing = anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor)
    return isMissing ? [`${document}: ${link} (no such heading)`] : []
  }),
)

for (const line of broken) console.error(line)
const summary = `${broken.length} broken of ${links} links in ${documents.length} documents`
writeEvidence(`${summary}\n${broken.join('\n')}\n`)
console.log(summary)
process.exitCode = broken.length === 0 ? 0 : 1

function linksOf(text) {
  return [...text.matchAll(/\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)].map((match) => match[1])
}

/** The text without code, where brackets mean something else. */
function prose(path) {
  return readFileSync(path, 'utf8')
    .replace(/^(```|~~~)[^]*?^\1/gm, '')
    .replace(/`[^`\n]*`/g, '')
}

/** Headings as GitHub names them in links. */
function anchorsOf(path) {
  const text = readFileSync(path, 'utf8').replace(/^(```|~~~)[^]*?^\1/gm, '')
  const seen = new Map()
  const slugs = [...text.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  })
  return new Set(slugs)
}

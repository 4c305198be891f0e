// Looks for what has the shape of a key, a token or a password in the sources. Tests are left out: they hold false ones on purpose.
import { readFileSync } from 'node:fs'
import { writeEvidence } from './evidence.mjs'
import { projectFiles } from './project-files.mjs'

const shapes = {
  'private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  'AWS access key': /\bAKIA[0-9A-Z]{16}\b/,
  'GitHub token': /\bgh[opsur]_[A-Za-z0-9]{36,}\b/,
  'Slack token': /\bxox[abprs]-[A-Za-z0-9-]{20,}/,
  'API key': /\bsk-[A-Za-z0-9_-]{20,}/,
  'npm token': /\bnpm_[A-Za-z0-9]{36}\b/,
  'JSON web token': /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/,
  'URL with a password': /\b[a-z]+:\/\/[^\s/:@'"`]+:[^\s/@'"`$]{6,}@/i,
  'assigned secret': /\b(?:password|secret|api_?key|token)\b["']?\s*[:=]\s*["'][A-Za-z0-9+/_-]{20,}["']/i,
}

const files = projectFiles(['.ts', '.mjs', '.js', '.json', '.toml', '.md', '.yml', '.sh']).filter(
  (path) => !path.startsWith('test/') && path !== 'package-lock.json',
)
const findings = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      Object.entries(shapes)
        .filter(([, shape]) => shape.test(line))
        .map(([kind]) => ({ file, line: index + 1, kind })),
    ),
)

for (const { file, line, kind } of findings) console.error(`${file}:${line}: looks like a ${kind}`)
writeEvidence(JSON.stringify({ clean: findings.length === 0, files: files.length, findings }, null, 2))
console.log(`${findings.length} findings in ${files.length} files`)
process.exitCode = findings.length === 0 ? 0 : 1

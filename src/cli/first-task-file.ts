/**
 * What `flotilla init` writes. It runs as it is. A line with `# ` before a field may be uncommented by itself; lines with `## ` are prose.
 */
export const firstTaskFile = `## A task file: what is to be done, by whom, and how it is checked. Run it with: flotilla run tasks.toml
## A line with one # before a field is an example: take the # away to use it. Every field: flotilla schema FleetTaskSpec

name = "first-run"
# labels = { team = "docs" }

## At most so many tasks of this run at a time.
# max_workers = 2

## What all tasks of the run may spend together. What crosses it is asked to hand back what it has.
# budget = { max_tokens = 1_000_000, max_seconds = 3_600 }

[[tasks]]
id = "collect"
name = "Collect"
instructions = "Write the names of the files of this folder into a report."
## A program and its arguments, without a shell. It finds its input in the file $FLOTILLA_INPUT, and leaves artifacts in $FLOTILLA_ARTIFACTS.
metadata.command = ["node", "-e", """
const { readdirSync, writeFileSync } = require('node:fs')
const names = readdirSync('.').sort()
writeFileSync(process.env.FLOTILLA_ARTIFACTS + '/report.txt', names.join('\\\\n'))
console.log(names.length + ' files')
"""]

## Each kind must be met by an artifact of that kind, or the result is partial at best.
expected_artifacts = ["report"]
## How the result is checked: exit_code, file_exists, regex_match, json_path, command, manual.
scorer = { kind = "exit_code" }

## How often it is tried, and how long it waits between: 5 s, 10 s, 20 s, …
retry_policy = { max_attempts = 3, initial_backoff_seconds = 5 }
# timeout_seconds = 600
# budget = { max_tokens = 50_000, max_tool_calls = 100, max_seconds = 900 }

## Lower runs first. Limits of a class are set where the fleet is made; of one key one task works at a time.
# metadata.priority = -10
# metadata.class = "heavy"
# concurrency_key = "this-folder"
# tags = ["nightly"]

## The folder that it works in, below the workspace; files that must be there; paths that no other task may write meanwhile.
# workspace.root = "."
# workspace.required_files = ["*"]
# workspace.writable_paths = ["reports"]
## Names of variables that it may see; secrets are refused here.
# workspace.environment = { allowlist = ["EDITOR"] }

[[tasks]]
id = "confirm"
name = "Confirm"
instructions = "Say that the report is there."
## It begins when those have completed, and finds their receipts in its input.
depends_on = ["collect"]
metadata.command = ["node", "-e", """
const { dependencies } = JSON.parse(require('node:fs').readFileSync(process.env.FLOTILLA_INPUT, 'utf8'))
console.log('the report has ' + dependencies.collect.receipt.artifacts[0].size_bytes + ' bytes')
"""]
scorer = { kind = "exit_code" }
# not_before = "2030-01-01T00:00:00Z"
`

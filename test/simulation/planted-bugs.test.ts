import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { plantedBugs } from './planted-bugs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test.each(plantedBugs)('DE4 there is one place to plant the mistake that $what', ({ file, right, wrong }) => {
  expect(wrong).not.toBe(right)
  expect(readFileSync(`${root}/${file}`, 'utf8').split(right)).toHaveLength(2)
})

#!/usr/bin/env node
// An image carries compiled code and no compiler; a clone runs the sources as they are.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const compiled = new URL('../dist/src/cli/main.js', import.meta.url)
const sources = new URL('../src/cli/main.ts', import.meta.url)

if (existsSync(fileURLToPath(sources))) {
  process.setSourceMapsEnabled(true)
  const { register } = await import('tsx/esm/api')
  register()
  await import(sources.href)
} else {
  await import(compiled.href)
}

import { readFileSync } from 'node:fs'
import path from 'node:path'

import { parse } from 'yaml'

import { cloneRoot } from '../../src/cli/local/clone.js'

/** What the tests look at of a service of docker-compose.yml. */
export interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  /** A variable without a value is handed on from `.env` where that sets it. */
  readonly environment?: Readonly<Record<string, string | null>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly profiles?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly restart?: string
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test: readonly string[] }
}

export interface ComposeFile {
  readonly name: string
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

export const OUR_IMAGE = 'yuanlu:local'

const composePath = path.join(cloneRoot, 'docker-compose.yml')

export const composeText = readFileSync(composePath, 'utf8')

/** The file as YAML reads it: anchors resolved, variables not. */
export function readComposeFile(): ComposeFile {
  return parse(composeText, { merge: true }) as ComposeFile
}

/** The lines `NAME=value` of an environment file. */
export function readEnvironment(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => /^[A-Z_]+=/.test(line))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

const VARIABLE = /\$\{(?<name>[A-Z_]+)(?<operator>:-|:\?)(?<operand>[^}]*)\}/g

/**
 * The environment a service's process gets, by Compose's own rules.
 * @throws Error when a variable that the file requires is missing.
 */
export function environmentOf(
  service: Service,
  dotEnv: Readonly<Record<string, string>>,
): Record<string, string> {
  const pairs = Object.entries(service.environment ?? {}).flatMap(([name, value]) => {
    const given = value === null ? dotEnv[name] : interpolate(value, dotEnv)
    return given === undefined ? [] : [[name, given] as const]
  })
  return Object.fromEntries(pairs)
}

function interpolate(text: string, dotEnv: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (_match, name: string, operator: string, operand: string) => {
    const value = dotEnv[name]
    if (value !== undefined && value !== '') return value
    if (operator === ':-') return operand
    throw new Error(`${name}: ${operand}`)
  })
}

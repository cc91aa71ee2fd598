import { spawn } from 'node:child_process'

/**
 * Runs a program to its end. Output is collected, or goes to standard error with 'inherit'.
 * A program that cannot be started answers status 127, as a shell would.
 */
export function run(command, args, { cwd, output = 'collect' } = {}) {
  return new Promise((resolve) => {
    const stdio = output === 'inherit' ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe']
    const child = spawn(command, args, { cwd, stdio })
    let text = ''
    child.stdout?.on('data', (chunk) => (text += chunk))
    child.stderr?.on('data', (chunk) => (text += chunk))
    child.once('error', (error) => resolve({ status: 127, text: error.message }))
    child.once('close', (status) => resolve({ status: status ?? 1, text }))
  })
}

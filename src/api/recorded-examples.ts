import { existsSync, readFileSync } from 'node:fs'

/** One call and its answer, as a test made them; ids and instants are the same in every run. */
export interface RecordedExample {
  readonly request: { readonly path: string; readonly body?: unknown }
  readonly response: { readonly status: number; readonly body: unknown }
}

/** Where a test keeps what it recorded; it lies beside the code, so that an image has it. */
export const RECORDED_EXAMPLES_URL = new URL('./recorded-examples.json', import.meta.url)

/** The examples by the operation they are of. */
export function recordedExamples(): Readonly<Record<string, RecordedExample>> {
  if (!existsSync(RECORDED_EXAMPLES_URL)) return {}
  return JSON.parse(readFileSync(RECORDED_EXAMPLES_URL, 'utf8')) as Record<string, RecordedExample>
}

interface Content {
  example?: unknown
}

interface Operation {
  readonly operationId?: string
  readonly requestBody?: { readonly content?: Readonly<Record<string, Content>> }
  readonly responses?: Readonly<Record<string, { readonly content?: Record<string, Content> }>>
}

/** Puts each recorded example where the OpenAPI document describes what it is one of. */
export function addExamples(paths: object): void {
  const examples = recordedExamples()
  for (const methods of Object.values(paths) as Record<string, Operation>[]) {
    for (const operation of Object.values(methods)) {
      const example = examples[operation.operationId ?? '']
      if (example !== undefined) addExample(operation, example)
    }
  }
}

function addExample(operation: Operation, { request, response }: RecordedExample): void {
  for (const content of Object.values(operation.requestBody?.content ?? {})) {
    content.example = request.body
  }
  const described = operation.responses?.[String(response.status)]
  for (const content of Object.values(described?.content ?? {})) content.example = response.body
}

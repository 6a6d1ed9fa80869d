import type { NewNode } from '../src/features/nodes/schema.ts'

/** Words that the benchmark searches for, and how many nodes contain them. */
export const WORDS = {
  /** One in 10,000 nodes. */
  rare: 'quartz',
  /** One in 50. */
  some: 'harbour',
  /** Three in five. */
  common: 'project',
  absent: 'unsaid',
} as const

export const TOPICS = 500
export const STATES = ['pending', 'active', 'done'] as const

const TYPES = [
  ...Array<string>(50).fill('memory'),
  ...Array<string>(25).fill('todo'),
  ...Array<string>(15).fill('file'),
  ...Array<string>(9).fill('concept'),
  'person',
]
const VOCABULARY = 5000
const WORDS_A_NODE = 24

/** Numbers that are the same in every run (Lehmer, 1951, with Park and Miller's multiplier). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Nodes like those of people and their AI clients: a title, some thirty words and a few properties. */
export function* contentsOf(count: number): Generator<NewNode> {
  const next = numbers(count)
  // Squared twice, so that a few words are common and most are rare, as in any language.
  const word = () => `word${Math.floor(next() ** 4 * VOCABULARY)}`
  for (let index = 0; index < count; index++) {
    const words = Array.from({ length: WORDS_A_NODE }, word)
    if (index % 10_000 === 0) words.push(WORDS.rare)
    if (index % 50 === 0) words.push(WORDS.some)
    if (index % 5 < 3) words.push(WORDS.common)
    // Two disjoint halves: a search for both words finds nothing.
    words.push(index % 2 === 0 ? 'even' : 'odd')
    yield {
      type: TYPES[Math.floor(next() * TYPES.length)] as string,
      properties: {
        title: `${word()} ${word()} ${index}`,
        content: words.join(' '),
        status: STATES[index % STATES.length],
        priority: 1 + (index % 7),
        topic: `topic-${index % TOPICS}`,
        serial: index,
      },
    }
  }
}

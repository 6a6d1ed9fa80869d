import type { NewNode } from '../src/features/nodes/schema.ts'

/** Words that the benched searches look for, and how many nodes have them. */
export const WORDS = {
  /** One of 10,000 nodes. */
  rare: 'quartz',
  /** One of 50. */
  some: 'harbour',
  /** Three of five. */
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

/** Numbers that are the same in every run (Lehmer, 1951, with Park and Miller's factor). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Nodes as people and their AI clients keep them: a title, some thirty words, and a few properties. */
export function* contentsOf(count: number): Generator<NewNode> {
  const next = numbers(count)
  // Squared twice, so that few words are common and most are rare, as in any language.
  const word = () => `word${Math.floor(next() ** 4 * VOCABULARY)}`
  for (let index = 0; index < count; index++) {
    const words = Array.from({ length: WORDS_A_NODE }, word)
    if (index % 10_000 === 0) words.push(WORDS.rare)
    if (index % 50 === 0) words.push(WORDS.some)
    if (index % 5 < 3) words.push(WORDS.common)
    // Two halves that have nothing in common: to look for both words finds nothing.
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

export declare function startArguments(given: readonly string[]): readonly string[]

export declare const LISTED: readonly string[]

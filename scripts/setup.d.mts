export declare function bunPath(): string

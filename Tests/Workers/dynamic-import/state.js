export const state = { evaluated: 0 };

export const PI = 3;

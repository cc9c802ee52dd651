export default await Promise.resolve("late");

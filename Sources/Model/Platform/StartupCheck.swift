/// Finds out whether a Worker can start, before anybody is told that it was deployed. Given to the control plane, which
/// runs no code itself.
package protocol StartupCheck: Sendable {
    /// Evaluates the top level in an isolate that is thrown away. Waits until that is done.
    func check(_ worker: StoredWorker, script: ScriptKey) -> StartupReport
}

package struct StartupReport: Sendable, Equatable, Codable {
    /// What is wrong, for the Worker's author; nil if it can start.
    package var failure: String?
    package var exports: WorkerExports
    /// How long it took.
    package var milliseconds: Double

    package init(failure: String?, exports: WorkerExports, milliseconds: Double) {
        self.failure = failure
        self.exports = exports
        self.milliseconds = milliseconds
    }
}

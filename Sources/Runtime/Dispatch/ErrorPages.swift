package import Model

/// The answers Martlet gives in a worker's stead. Edge knows how they look.
package protocol ErrorPages: AnyObject, Sendable {
    /// Answers the exchange for that outcome, and returns the status it used.
    func respond(to exchange: any Exchange, outcome: Outcome) -> Int
}

package import Model

/// Accepts connections in the hosts' place, while there are several, and finds out whom each is for.
package protocol FrontDoor: AnyObject, Sendable {
    /// What there is to be found.
    func take(_ routes: RoutingSnapshot, isWhole: Bool)
    /// Accepts from now on, or no more.
    func setOpen(_ isOpen: Bool)
}

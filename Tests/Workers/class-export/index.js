// A default export whose handler is inherited, and answers without a promise.
class Base {
    fetch(request) {
        return new Response(`${this.name} ${request.method}`);
    }
}

class Derived extends Base {
    name = "derived";
}

export default new Derived();

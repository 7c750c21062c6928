/* Keeps countdowns fresh, adds the keyboard, and makes unfold's mouse-only controls reachable.
   Every page works without it. */
(function () {
    "use strict";

    var words = null;

    function fill(text, values) {
        return text.replace(/\{(\w+)\}/g, function (whole, name) {
            return name in values ? values[name] : whole;
        });
    }

    function span(milliseconds) {
        var minutes = Math.floor(milliseconds / 60000);
        var hours = Math.floor(minutes / 60);
        var days = Math.floor(minutes / 1440);
        if (days >= 2) return fill(words.days, { days: days });
        if (hours >= 10) return fill(words.hours, { hours: hours });
        if (hours >= 1) return fill(words.both, { hours: hours, minutes: minutes % 60 });
        return fill(words.minutes, { minutes: minutes });
    }

    function refreshClocks() {
        var shift = Number(words.now) - words.loaded;
        var now = Date.now() + shift; // the office's clock, not this computer's
        document.querySelectorAll("time[data-due]").forEach(function (clock) {
            var left = new Date(clock.dateTime).getTime() - now;
            var text = left > 0 ? fill(words.left, { time: span(left) }) : fill(words.over, { time: span(-left) });
            if (clock.textContent !== text) clock.textContent = text;
            clock.classList.toggle("sh-clock--late", left <= 0);
            clock.classList.toggle("sh-clock--soon", left > 0 && left < Number(words.soon));
            clock.classList.toggle("sh-clock--calm", left >= Number(words.soon));
        });
    }

    function startClocks() {
        var holder = document.getElementById("sh-words");
        if (!holder) return;
        words = Object.assign({ loaded: Date.now() }, holder.dataset);
        refreshClocks();
        window.setInterval(refreshClocks, 20000);
    }

    function isTyping(event) {
        var at = event.target;
        return event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey ||
            (at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)));
    }

    function rows() {
        return Array.prototype.slice.call(document.querySelectorAll("#result_list tbody tr"))
            .filter(function (row) { return row.querySelector("a[href]"); });
    }

    function move(by) {
        var all = rows();
        if (!all.length) return;
        var here = all.findIndex(function (row) { return row.classList.contains("sh-here"); });
        var next = Math.min(Math.max(here + by, 0), all.length - 1);
        all.forEach(function (row) { row.classList.remove("sh-here"); });
        all[next].classList.add("sh-here");
        all[next].scrollIntoView({ block: "nearest" });
        var link = all[next].querySelector("th a[href], td a[href]");
        if (link) link.focus({ preventScroll: true });
    }

    function here() { return document.querySelector("#result_list tr.sh-here"); }

    function searchField() {
        return document.getElementById("searchbar") || document.getElementById("sh-find");
    }

    var keys = {
        "/": function () { var field = searchField(); if (field) { field.focus(); field.select(); } },
        j: function () { move(1); },
        k: function () { move(-1); },
        o: function () { var row = here(), link = row && row.querySelector("th a[href], td a[href]"); if (link) link.click(); },
        x: function () {
            var row = here(), box = row && row.querySelector("input.action-select");
            if (box) box.click();
        },
        n: function () { var link = document.querySelector("a[data-next]"); if (link) link.click(); },
        g: function () { var button = document.querySelector("a[data-main]"); if (button) button.click(); },
        "?": function () {
            var help = document.getElementById("sh-keys");
            if (help && !help.open) help.showModal();
        }
    };

    function onKey(event) {
        if (isTyping(event) || document.querySelector("dialog[open]")) return;
        var act = keys[event.key];
        if (!act) return;
        event.preventDefault();
        act();
    }

    /* unfold draws some controls as plain elements with a click handler only. */
    var MOUSE_ONLY = [
        "a[x-on\\:click]:not([href])", "div[x-on\\:click].cursor-pointer", "span[x-on\\:click].cursor-pointer",
        "h2[x-on\\:click]", "td [x-on\\:click].cursor-pointer"
    ].join(",");

    function nameOf(control) {
        if (control.getAttribute("aria-label")) return;
        var symbol = control.matches(".material-symbols-outlined") ? control : control.querySelector(".material-symbols-outlined");
        var text = control.textContent.replace(symbol ? symbol.textContent : "", "").trim();
        if (!text) control.setAttribute("aria-label", words ? words.menu : "menu");
    }

    function makeReachable(root) {
        root.querySelectorAll(MOUSE_ONLY).forEach(function (control) {
            if (control.dataset.madeReachable !== undefined) return;
            control.dataset.madeReachable = "";
            if (!control.hasAttribute("tabindex")) control.tabIndex = 0;
            if (!control.hasAttribute("role")) control.setAttribute("role", "button");
            nameOf(control);
        });
        root.querySelectorAll("input:not([type=hidden]):not([aria-label]):not([id])").forEach(function (field) {
            if (field.placeholder) field.setAttribute("aria-label", field.placeholder);
        });
        root.querySelectorAll("#searchbar, #search-input-command").forEach(function (field) {
            if (field.placeholder) field.setAttribute("aria-label", field.placeholder);
        });
        root.querySelectorAll("#searchbar-submit, #command-submit").forEach(function (button) {
            if (words) button.setAttribute("aria-label", words.search);
        });
    }

    function onActivate(event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        var control = event.target;
        if (!control.dataset || control.dataset.madeReachable === undefined) return;
        event.preventDefault();
        control.click();
    }

    function closeMenus(event) {
        document.querySelectorAll("details.sh-more[open]").forEach(function (menu) {
            var outside = event.type === "click" && !menu.contains(event.target);
            if (outside || event.key === "Escape") {
                menu.open = false;
                if (event.key === "Escape") menu.querySelector("summary").focus();
            }
        });
    }

    /* A second click on the button is the same act: the form's key makes it so, this only says it. */
    function onSubmit(event) {
        var form = event.target;
        if (!form.matches || !form.matches("form[data-once]")) return;
        if (form.dataset.sent) { event.preventDefault(); return; }
        form.dataset.sent = "1";
        window.setTimeout(function () {
            form.querySelectorAll("button[type=submit]").forEach(function (button) { button.disabled = true; });
        }, 0);
    }

    function onReturn(event) {
        if (!event.persisted) return;
        document.querySelectorAll("form[data-sent]").forEach(function (form) {
            delete form.dataset.sent;
            form.querySelectorAll("button[type=submit]").forEach(function (button) { button.disabled = false; });
        });
    }

    /* Only the reasons that fit the kind; the office refuses the others anyway. */
    function matchReasons() {
        var kind = document.getElementById("id_kind"), reason = document.getElementById("id_reason");
        var table = document.querySelectorAll("#sh-kinds [data-code]");
        if (!kind || !reason || !table.length) return;
        var kinds = {};
        table.forEach(function (row) { kinds[row.dataset.code] = row.dataset.kinds; });
        function show() {
            Array.prototype.forEach.call(reason.options, function (option) {
                var fits = !option.value || !kind.value || !kinds[option.value] ||
                    kinds[option.value].split(";").indexOf(kind.value) >= 0;
                option.hidden = option.disabled = !fits;
                if (!fits && option.selected) reason.value = "";
            });
        }
        kind.addEventListener("change", show);
        show();
    }

    function keepPlainFiles() {
        // unfold writes a file's name into a text field of its own, which plain inputs have not.
        document.querySelectorAll("input[type=file].sh-file").forEach(function (input) {
            input.hasChangeListener = true;
        });
    }

    document.addEventListener("DOMContentLoaded", function () {
        keepPlainFiles();
        startClocks();
        matchReasons();
        makeReachable(document);
        document.addEventListener("keydown", onKey);
        document.addEventListener("keydown", onActivate);
        document.addEventListener("keydown", closeMenus);
        document.addEventListener("click", closeMenus);
        document.addEventListener("submit", onSubmit);
        window.addEventListener("pageshow", onReturn);
        document.body.addEventListener("htmx:afterSwap", function (event) { makeReachable(event.target); });
        var wrong = document.querySelector(".sh-field--wrong input, .sh-field--wrong select, .sh-field--wrong textarea");
        if (wrong) wrong.focus();
        else {
            var first = document.querySelector("form.sh-form[data-once] .sh-control input:not([type=hidden]), form.sh-form[data-once] .sh-control select, form.sh-form[data-once] .sh-control textarea");
            var main = document.querySelector("form.sh-form [data-main]");
            if (first || main) (first || main).focus();
        }
    });
})();

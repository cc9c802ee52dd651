// Moment: a library of dates.
import moment from "moment";

export default {
    fetch() {
        const date = moment.utc("2024-02-29T13:05:09.042Z");
        return Response.json({
            formats: ["YYYY-MM-DD", "dddd, MMMM Do YYYY, h:mm:ss a", "[Week] w, DDDo", "x"].map((f) => date.format(f)),
            nextYear: date.clone().add(1, "year").toISOString(), monthEnd: date.clone().endOf("month").toISOString(),
            difference: date.diff(moment.utc("2023-12-25"), "days"), from: date.from(moment.utc("2024-03-05")),
            duration: moment.duration(93784, "seconds").humanize(), iso: moment.duration("P1DT2H").asMinutes(),
            parsed: moment.utc("05/11/2021 07:08", "DD/MM/YYYY HH:mm").valueOf(),
            invalid: moment.utc("2023-02-30", "YYYY-MM-DD", true).isValid(), leap: date.isLeapYear(),
        });
    },
};

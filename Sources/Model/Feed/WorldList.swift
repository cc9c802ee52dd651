/// Where locations can be: places all over the world, by the codes of their airports (IATA).
package enum WorldList {
    package struct Place: Sendable, Equatable {
        /// Three letters, in lower case.
        package let code: String
        package let city: String
        /// Two letters (ISO 3166-1).
        package let country: String
        /// Of the airport, in degrees.
        package let latitude: Double
        package let longitude: Double
    }

    /// By code.
    package static let places: [Place] = text.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: ";").map(String.init)
        guard parts.count == 5, let latitude = Double(parts[3]), let longitude = Double(parts[4]) else { return nil }
        return Place(code: parts[0], city: parts[1], country: parts[2], latitude: latitude, longitude: longitude)
    }

    private static let byCode = Dictionary(uniqueKeysWithValues: places.map { ($0.code, $0) })

    /// Nil if the list has none of that code.
    package static func place(_ code: String) -> Place? { byCode[code] }

    private static let text = """
        acc;Accra;GH;5.61;-0.17
        akl;Auckland;NZ;-37.01;174.79
        amm;Amman;JO;31.72;35.99
        ams;Amsterdam;NL;52.31;4.76
        anc;Anchorage;US;61.17;-149.99
        arn;Stockholm;SE;59.65;17.92
        asu;Asunción;PY;-25.24;-57.52
        ath;Athens;GR;37.94;23.94
        atl;Atlanta;US;33.64;-84.43
        aus;Austin;US;30.19;-97.67
        bah;Manama;BH;26.27;50.63
        bcn;Barcelona;ES;41.30;2.08
        beg;Belgrade;RS;44.82;20.31
        ber;Berlin;DE;52.36;13.50
        bkk;Bangkok;TH;13.69;100.75
        blr;Bengaluru;IN;13.20;77.71
        bna;Nashville;US;36.12;-86.68
        bog;Bogotá;CO;4.70;-74.15
        bom;Mumbai;IN;19.09;72.87
        bos;Boston;US;42.36;-71.01
        bru;Brussels;BE;50.90;4.48
        bsb;Brasília;BR;-15.87;-47.92
        bts;Bratislava;SK;48.17;17.21
        bud;Budapest;HU;47.44;19.26
        buf;Buffalo;US;42.94;-78.73
        cai;Cairo;EG;30.12;31.41
        cdg;Paris;FR;49.01;2.55
        cgk;Jakarta;ID;-6.13;106.66
        clt;Charlotte;US;35.21;-80.94
        cmh;Columbus;US;40.00;-82.89
        cmn;Casablanca;MA;33.37;-7.59
        cor;Córdoba;AR;-31.32;-64.21
        cph;Copenhagen;DK;55.62;12.66
        cpt;Cape Town;ZA;-33.97;18.60
        del;Delhi;IN;28.57;77.10
        den;Denver;US;39.86;-104.67
        dfw;Dallas;US;32.90;-97.04
        dkr;Dakar;SN;14.67;-17.07
        doh;Doha;QA;25.27;51.61
        dtw;Detroit;US;42.21;-83.35
        dub;Dublin;IE;53.42;-6.27
        dus;Düsseldorf;DE;51.29;6.77
        dxb;Dubai;AE;25.25;55.36
        edi;Edinburgh;GB;55.95;-3.37
        evn;Yerevan;AM;40.15;44.40
        ewr;Newark;US;40.69;-74.17
        eze;Buenos Aires;AR;-34.82;-58.54
        fco;Rome;IT;41.80;12.25
        for;Fortaleza;BR;-3.78;-38.53
        fra;Frankfurt;DE;50.03;8.57
        gdl;Guadalajara;MX;20.52;-103.31
        gig;Rio de Janeiro;BR;-22.81;-43.25
        got;Gothenburg;SE;57.66;12.28
        gru;São Paulo;BR;-23.44;-46.47
        gua;Guatemala City;GT;14.58;-90.53
        gva;Geneva;CH;46.24;6.11
        ham;Hamburg;DE;53.63;9.99
        hel;Helsinki;FI;60.32;24.96
        hkg;Hong Kong;HK;22.31;113.91
        hnl;Honolulu;US;21.32;-157.92
        iad;Ashburn;US;38.95;-77.46
        iah;Houston;US;29.98;-95.34
        icn;Seoul;KR;37.46;126.44
        ind;Indianapolis;US;39.72;-86.29
        ist;Istanbul;TR;41.26;28.74
        jax;Jacksonville;US;30.49;-81.69
        jnb;Johannesburg;ZA;-26.14;28.25
        kbp;Kyiv;UA;50.34;30.89
        kef;Reykjavík;IS;63.99;-22.61
        kgl;Kigali;RW;-1.97;30.14
        kiv;Chişinău;MD;46.93;28.93
        kix;Osaka;JP;34.43;135.24
        kul;Kuala Lumpur;MY;2.75;101.71
        kwi;Kuwait City;KW;29.23;47.97
        lad;Luanda;AO;-8.86;13.23
        las;Las Vegas;US;36.08;-115.15
        lax;Los Angeles;US;33.94;-118.41
        lca;Larnaca;CY;34.88;33.63
        lhr;London;GB;51.47;-0.45
        lim;Lima;PE;-12.02;-77.11
        lis;Lisbon;PT;38.77;-9.13
        los;Lagos;NG;6.58;3.32
        lux;Luxembourg;LU;49.63;6.21
        lys;Lyon;FR;45.73;5.08
        maa;Chennai;IN;12.99;80.17
        mad;Madrid;ES;40.47;-3.56
        man;Manchester;GB;53.35;-2.27
        mci;Kansas City;US;39.30;-94.71
        mde;Medellín;CO;6.16;-75.42
        mel;Melbourne;AU;-37.67;144.84
        mem;Memphis;US;35.04;-89.98
        mex;Mexico City;MX;19.44;-99.07
        mia;Miami;US;25.79;-80.29
        mla;Malta;MT;35.86;14.48
        mnl;Manila;PH;14.51;121.02
        mpm;Maputo;MZ;-25.92;32.57
        mrs;Marseille;FR;43.44;5.22
        mru;Port Louis;MU;-20.43;57.68
        msp;Minneapolis;US;44.88;-93.22
        muc;Munich;DE;48.35;11.79
        mvd;Montevideo;UY;-34.84;-56.03
        mxp;Milan;IT;45.63;8.72
        nbo;Nairobi;KE;-1.32;36.93
        nrt;Tokyo;JP;35.77;140.39
        oma;Omaha;US;41.30;-95.89
        ord;Chicago;US;41.98;-87.90
        osl;Oslo;NO;60.19;11.10
        otp;Bucharest;RO;44.57;26.09
        pdx;Portland;US;45.59;-122.60
        phl;Philadelphia;US;39.87;-75.24
        phx;Phoenix;US;33.43;-112.01
        pit;Pittsburgh;US;40.49;-80.23
        pmo;Palermo;IT;38.18;13.10
        poa;Porto Alegre;BR;-29.99;-51.17
        prg;Prague;CZ;50.10;14.26
        pty;Panama City;PA;9.07;-79.38
        qro;Querétaro;MX;20.62;-100.19
        ric;Richmond;US;37.51;-77.32
        rix;Riga;LV;56.92;23.97
        ruh;Riyadh;SA;24.96;46.70
        san;San Diego;US;32.73;-117.19
        scl;Santiago;CL;-33.39;-70.79
        sdq;Santo Domingo;DO;18.43;-69.67
        sea;Seattle;US;47.45;-122.31
        sfo;San Francisco;US;37.62;-122.38
        sin;Singapore;SG;1.36;103.99
        sjc;San Jose;US;37.36;-121.93
        sjo;San José;CR;9.99;-84.21
        skg;Thessaloniki;GR;40.52;22.97
        slc;Salt Lake City;US;40.79;-111.98
        smf;Sacramento;US;38.70;-121.59
        sof;Sofia;BG;42.70;23.41
        stl;St. Louis;US;38.75;-90.37
        str;Stuttgart;DE;48.69;9.22
        syd;Sydney;AU;-33.95;151.18
        tbs;Tbilisi;GE;41.67;44.95
        tia;Tirana;AL;41.41;19.72
        tll;Tallinn;EE;59.41;24.83
        tlv;Tel Aviv;IL;32.01;34.88
        tpa;Tampa;US;27.98;-82.53
        tpe;Taipei;TW;25.08;121.23
        tun;Tunis;TN;36.85;10.23
        uio;Quito;EC;-0.13;-78.36
        vie;Vienna;AT;48.11;16.57
        vno;Vilnius;LT;54.63;25.29
        waw;Warsaw;PL;52.17;20.97
        yhz;Halifax;CA;44.88;-63.51
        yow;Ottawa;CA;45.32;-75.67
        yul;Montréal;CA;45.47;-73.74
        yvr;Vancouver;CA;49.19;-123.18
        ywg;Winnipeg;CA;49.91;-97.24
        yyc;Calgary;CA;51.13;-114.01
        yyz;Toronto;CA;43.68;-79.63
        zag;Zagreb;HR;45.74;16.07
        zrh;Zurich;CH;47.46;8.55
        """
}
